import { describe } from "@jest/globals";
import { describeLeastPower } from "./least-power.js";

describe("over zones in folders", () => {
  describeLeastPower("local+sqlite");
});
