/** Whether Hadoop's client, which reads an address on S3 as a pattern, finds exactly this address. */
export function isPlainToSpark(uri: string): boolean {
  return /^s3:\/\/[\p{L}\p{N} _.=+@()~$'!&%/-]+$/u.test(uri);
}
