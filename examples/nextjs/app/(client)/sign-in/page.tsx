"use client";

import { useClickstream } from "@clickstream/publisher/react";
import { useRouter } from "next/navigation";
import { type FormEvent, useEffect, useRef } from "react";

import { account } from "@/lib/account";

export default function SignInPage() {
  const router = useRouter();
  const { trackLoginSuccess } = useClickstream();
  const name = useRef<HTMLInputElement>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const id = `user-${name.current!.value.length}`; // a real shop has ids of its own
    trackLoginSuccess({ userId: id, identitySource: "demo" });
    account.write({ id, name: name.current!.value });
    router.push("/");
  };
  return (
    <>
      <h1>Sign in</h1>
      <form onSubmit={submit} global-clickstream-ignore-click="true">
        <label>
          Name <input ref={name} name="account" required autoComplete="username" />
        </label>
        <button id="sign-in">Sign in</button>
      </form>
    </>
  );
}
