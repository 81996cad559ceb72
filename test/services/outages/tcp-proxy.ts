import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll } from "@jest/globals";

/** What a network does with a connection: bring it through, late, swallow every packet, or reset it. */
export type Network = "good" | "slow" | "silent" | "resetting";

const LATENCY_MILLISECONDS = 50;

/** A network between a client and a server, that a test has fail. */
export interface TcpProxy {
  readonly port: number;
  become(network: Network): void;
}

const proxies: { server: Server; sockets: Set<Socket> }[] = [];

afterAll(() => {
  for (const { server, sockets } of proxies.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

/**
 * @param target the port of the server.
 * @param hear is told what clients send.
 */
export async function startTcpProxy(
  target: number,
  hear: (data: Buffer) => void = () => undefined,
): Promise<TcpProxy> {
  let network: Network = "good";
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  };
  const bring = (from: Socket, to: Socket) => {
    from.on("data", (data) => {
      if (network === "silent") return;
      setTimeout(() => to.write(data), network === "slow" ? LATENCY_MILLISECONDS : 0);
    });
    from.on("close", () => to.destroy());
  };
  const server = createServer((client) => {
    track(client);
    client.on("data", hear);
    if (network === "resetting") {
      client.resetAndDestroy();
      return;
    }
    const onward = connect(target, "127.0.0.1");
    track(onward);
    bring(client, onward);
    bring(onward, client);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  proxies.push({ server, sockets });
  return {
    port: (server.address() as AddressInfo).port,
    become: (next) => {
      network = next;
      if (network === "resetting") for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}
