// The page to sign in.
import { trackLoginOpen } from "/publisher/src/index.js";
import { signIn } from "../data/account.js";
import { announce } from "../parts/announcement.js";
import { element, TRACKED } from "../parts/element.js";
import { field, form } from "../parts/field.js";
import { goTo } from "../router.js";

const submit = ({ elements }) => {
  signIn(elements.account.value);
  goTo("/");
  announce("Signed in");
};

export const signInView = () => ({
  title: "Sign in",
  content: [
    element(
      "section",
      { class: "sign-in" },
      element("h1", {}, "Sign in"),
      element("p", { class: "note" }, "This is a demo: any name and any password will do, and neither is sent."),
      form(
        "sign-in-form",
        submit,
        field("account", "E-mail or name", { autocomplete: "username", pattern: ".*\\S.*", maxlength: 100 }),
        field("password", "Password", { type: "password", autocomplete: "current-password" }),
        element("button", { class: "button", id: "sign-in-button", ...TRACKED }, "Sign in"),
      ),
    ),
  ],
  track: trackLoginOpen,
});
