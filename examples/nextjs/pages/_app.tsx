import type { AppProps } from "next/app";
import Head from "next/head";

import { Clickstream } from "@/components/Clickstream";

export default function App({ Component, pageProps }: AppProps) {
  return (
    <Clickstream>
      <Head>
        <title>Gánh</title>
        <link rel="icon" href="/icon.svg" />
      </Head>
      <Component {...pageProps} />
    </Clickstream>
  );
}
