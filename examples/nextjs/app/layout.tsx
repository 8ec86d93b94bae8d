import type { Metadata } from "next";
import type { ReactNode } from "react";

import "@/app/globals.css";
import { Clickstream } from "@/components/Clickstream";
import { Header } from "@/components/Header";

export const metadata: Metadata = { title: { default: "Gánh", template: "%s · Gánh" } };

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Clickstream>
          <Header />
          <main>{children}</main>
        </Clickstream>
      </body>
    </html>
  );
}
