// Loads one address from a process of its own, for servers shall not share theirs with the load:
//   node bench/api/load.mjs '{"url":"…","body":"…","seconds":5,"connections":32}'
// Prints what it has measured as JSON. It fails where anything but the body that is expected came back.
import autocannon from "autocannon";

const { url, body, seconds, connections } = JSON.parse(process.argv[2]);
const milliseconds = [];
const load = autocannon({ url, connections, duration: seconds, expectBody: body });
// autocannon's own latencies are whole milliseconds.
load.on("response", (_client, _status, _bytes, taken) => milliseconds.push(taken));
const result = await load;

assertClean(result);
milliseconds.sort((a, b) => a - b);
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    requests: milliseconds.length,
    requestsPerSecond: milliseconds.length / result.duration,
    p50: percentile(0.5),
    p99: percentile(0.99),
    /** The share of one core that the load itself has taken. At 1 it measures itself. */
    loadGeneratorBusy: (user + system) / 1e6 / result.duration,
  }),
);

function assertClean({ errors, timeouts, mismatches, statusCodeStats, requests }) {
  const statuses = Object.keys(statusCodeStats).join(", ");
  // At the end one request is under way on each connection. autocannon opens one that was cut anew, and says nothing.
  const lost = requests.sent - requests.total - connections;
  if (statuses === "200" && [errors, timeouts, mismatches, lost].every((count) => count === 0)) return;
  throw new Error(
    `${url}: ${errors} errors, ${timeouts} timeouts, ${mismatches} wrong bodies, ${lost} lost, statuses ${statuses}`,
  );
}

function percentile(share) {
  return milliseconds[Math.min(milliseconds.length - 1, Math.floor(milliseconds.length * share))];
}
