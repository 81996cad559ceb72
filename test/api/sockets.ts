import { connect, type Socket } from "node:net";

/** A connection of a client that keeps to HTTP as little as it likes. */
export interface Client {
  readonly socket: Socket;
  /** What has come until now. */
  received(): string;
  /** Resolves with all that came when a text is among it; rejects where the connection ends without. */
  heard(text: string): Promise<string>;
  /** Resolves with all that came when the connection is over. */
  readonly ended: Promise<string>;
}

export async function connectTo(port: number): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => (received += text));
  // A connection that is cut off is over, too.
  socket.on("error", () => undefined);
  const ended = new Promise<string>((resolve) =>
    socket.on("close", () => {
      resolve(received);
    }),
  );
  await new Promise((resolve) => socket.once("connect", resolve));
  const heard = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (received.includes(text)) resolve(received);
      };
      socket.on("data", look).on("close", () => {
        reject(new Error(`the connection ended after ${JSON.stringify(received)}`));
      });
      look();
    });
  return { socket, received: () => received, heard, ended };
}
