// The least that an Express route can do: it reads nothing and answers a constant.
import express from "express";

const app = express();
app.get("/voucher/most-used", (_request, response) => {
  response.json({ voucher_amount: 2640 });
});
const server = app.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
