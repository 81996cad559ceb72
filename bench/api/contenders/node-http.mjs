// The least that a server in Node can do.
import { createServer } from "node:http";

const body = JSON.stringify({ voucher_amount: 2640 });
const headers = { "Content-Type": "application/json; charset=utf-8", "Content-Length": body.length };
const server = createServer((_request, response) => {
  response.writeHead(200, headers).end(body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
