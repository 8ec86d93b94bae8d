// The page for what the shop does not have.
import { message } from "./message.js";

export const notFoundView = () => ({
  title: "Not found",
  content: message("Not found", "There is no such page, or it is no longer on our shelves.", "Back to the shop"),
});
