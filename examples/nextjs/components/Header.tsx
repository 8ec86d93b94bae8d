"use client";

import { IgnoreClicks, useClickstream } from "@clickstream/publisher/react";
import Link from "next/link";

import { account } from "@/lib/account";
import { useCart } from "@/lib/cart";
import { wishlist } from "@/lib/wishlist";

function SignOutButton({ name }: { name: string }) {
  const { trackLogout } = useClickstream();
  const signOut = () => {
    trackLogout();
    account.write(null);
  };
  return (
    <IgnoreClicks>
      <button id="sign-out" onClick={signOut}>
        Sign out {name}
      </button>
    </IgnoreClicks>
  );
}

export function Header() {
  const current = account.use();
  const cart = useCart();
  const { trackLoginOpen } = useClickstream();
  return (
    <header>
      <Link href="/" id="home-link">
        Gánh
      </Link>
      <nav>
        <Link href="/about">About</Link>
        <Link href="/search" prefetch={false}>
          Search
        </Link>
        <Link href="/wishlist">Wishlist {wishlist.use()?.length || ""}</Link>
        <Link href="/cart">Cart {cart?.items.length || ""}</Link>
        {current ? (
          <SignOutButton name={current.name} />
        ) : (
          <Link href="/sign-in" global-clickstream-ignore-click="true" onClick={() => trackLoginOpen()}>
            Sign in
          </Link>
        )}
      </nav>
    </header>
  );
}
