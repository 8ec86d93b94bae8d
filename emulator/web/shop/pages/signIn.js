// The page to sign in.
import { trackLoginOpen } from "/publisher/clickstreamEvents.js";
import { signIn } from "../account.js";
import { announce } from "../announcement.js";
import { element } from "../element.js";
import { goTo } from "../router.js";
import { field, form } from "./field.js";

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
        element("button", { class: "button", id: "sign-in-button" }, "Sign in"),
      ),
    ),
  ],
  track: trackLoginOpen,
});
