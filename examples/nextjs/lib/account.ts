// Who is signed in. A demo: any name will do.
import { stored } from "@/lib/stored";

export type Account = { id: string; name: string };

export const account = stored<Account | null>("shop.account", null);
