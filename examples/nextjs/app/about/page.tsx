// A page without a tracker: its view is the automatic `page_view`.
import type { Metadata } from "next";

export const metadata: Metadata = { title: "About" };

export default function AboutPage() {
  return (
    <>
      <h1>About us</h1>
      <p>Rainwear, clay, sound and coffee from workshops all over Vietnam.</p>
    </>
  );
}
