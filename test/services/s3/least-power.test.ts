import { describe } from "@jest/globals";
import { describeLeastPower } from "../../run/least-power.js";

describe("over zones on S3", () => {
  describeLeastPower("minio+sqlite");
});
