// Prices a file of customers. Without this script the page says how a program does it.
import { render } from "preact";
import { CAMPAIGN_ELEMENT, type Given } from "../campaign/given.js";
import { Campaign } from "./campaign/campaign.js";

const element = document.getElementById(CAMPAIGN_ELEMENT);
const { given } = element?.dataset ?? {};
if (element !== null && given !== undefined) {
  element.replaceChildren();
  render(<Campaign given={JSON.parse(given) as Given} />, element);
}

// A file that is dropped beside its place must not be opened instead of the page.
for (const name of ["dragover", "drop"])
  window.addEventListener(name, (event) => {
    event.preventDefault();
  });
