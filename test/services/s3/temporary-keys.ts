import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { S3Credentials } from "../../../src/base/s3-access.js";
import { TEST_S3 } from "../../place.js";

/** As AWS writes policies. */
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly {
    readonly Effect: "Allow";
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
  }[];
}

/** Keys of the account of the tests, cut down to a policy. */
export async function temporaryKeys(policy: Policy): Promise<Required<S3Credentials>> {
  if (TEST_S3 === undefined) throw new Error("TEST_S3_ENDPOINT names no S3");
  const { endpoint, ...credentials } = TEST_S3;
  const client = new STSClient({ endpoint, region: "us-east-1", credentials });
  const { Credentials } = await client.send(
    new AssumeRoleCommand({
      RoleArn: "arn:aws:iam::000000000000:role/test",
      RoleSessionName: "test",
      DurationSeconds: 900,
      Policy: JSON.stringify(policy),
    }),
  );
  return {
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretAccessKey ?? "",
    sessionToken: Credentials?.SessionToken ?? "",
  };
}

/** Keys as a process finds them in its environment. */
export function keysEnvironment({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: Required<S3Credentials>): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}
