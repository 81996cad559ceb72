import { describe } from "@jest/globals";
import { describeLeastPower } from "../../pipeline/least-power.js";

describe("over zones on S3", () => {
  describeLeastPower("minio+sqlite");
});
