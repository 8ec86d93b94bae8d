// A page of the Pages Router, as older shops have them: products by name, and a filter that shallow routing keeps.
import type { GetServerSideProps } from "next";
import Link from "next/link";
import { useRouter } from "next/router";

import { type Product, searchProducts } from "@/lib/catalogue";

type Props = { text: string; found: Product[] };

export const getServerSideProps: GetServerSideProps<Props> = async ({ query }) => {
  const text = String(query.q ?? "");
  return { props: { text, found: searchProducts(text) } };
};

export default function SearchPage({ text, found }: Props) {
  const router = useRouter();
  const onOffer = router.query.offers === "1";
  const shown = found.filter(({ discountPrice }) => !onOffer || discountPrice !== null);
  const filter = () => router.push({ query: { ...router.query, offers: "1" } }, undefined, { shallow: true });
  return (
    <>
      <h1>Search</h1>
      <form action="/search">
        <input name="q" defaultValue={text} />
        <button>Search</button>
      </form>
      <button id="on-offer" onClick={filter}>
        On offer only
      </button>
      <Link href={{ query: { q: "boot" } }}>Boots</Link>
      <p id="found">{shown.length} found</p>
      <ul>
        {shown.map(({ id, name }) => (
          <li key={id}>
            <Link href={`/classic/${id}`}>{name}</Link>
          </li>
        ))}
      </ul>
      <Link href="/">Home</Link>
    </>
  );
}
