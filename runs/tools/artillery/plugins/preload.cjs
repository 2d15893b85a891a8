// Loaded by Node before Artillery, in its main thread and in every worker: finds names where the
// run says they are (WEDSYNC_HOSTS, JSON), refuses denied networks (WEDSYNC_DENIED, CIDRs) on the
// resolved address, and lets the main thread connect to nobody before "go".
//
// It holds for whatever goes through Node's own TCP sockets: http, https, http2, fetch and ws do;
// UDP, child processes and browsers do not. A script that means to get around it can.
"use strict";

const dns = require("node:dns");
const net = require("node:net");
const { BroadcastChannel, isMainThread, threadId } = require("node:worker_threads");

const HOSTS = new Map(Object.entries(JSON.parse(process.env.WEDSYNC_HOSTS || "{}")));
const DENIED = (process.env.WEDSYNC_DENIED || "").split(" ").filter(Boolean);
// A list for each family: Node finds an IPv4 address in IPv6 networks too, as ::ffff:127.0.0.1.
const denied = { ipv4: new net.BlockList(), ipv6: new net.BlockList() };
const isArtillery = isMainThread && !process.env.WEDSYNC_PRELOADED; // and not a child of it
process.env.WEDSYNC_PRELOADED = "1";
let isWaiting = isMainThread && !process.env.WEDSYNC_WENT;

function familyOf(address) {
  return net.isIPv6(address) ? "ipv6" : "ipv4";
}

for (const network of DENIED) {
  const [address, bits] = network.split("/");
  denied[familyOf(address)].addSubnet(address, Number(bits), familyOf(address));
}

function refusal(address) {
  const why = isWaiting ? "before it may begin" : "by the fence around it";
  const error = new Error(`A load test may not reach ${address}: refused ${why}.`);
  return Object.assign(error, { code: "NOT_ALLOWED", address });
}

function isDenied(address) {
  return isWaiting || denied[familyOf(address)].check(address, familyOf(address));
}

// Where a name is found: "127.0.0.1:9000" and "[::1]:9000" say the port as well.
function place({ host = "localhost", port }) {
  const found = HOSTS.get(String(host).toLowerCase());
  if (found === undefined) return { host, port };
  const [, address, own] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(net.isIPv6(found) ? `[${found}]` : found);
  return { host: address, port: own ?? port };
}

function checked(lookup) {
  return (name, how, done) =>
    lookup(name, how, (error, found, family) => {
      if (error) return done(error);
      const addresses = Array.isArray(found) ? found : [{ address: found, family }];
      const open = addresses.filter(({ address }) => !isDenied(address));
      if (!open.length) return done(refusal(addresses.map(({ address }) => address).join(", ")));
      return Array.isArray(found) ? done(null, open) : done(null, found, family);
    });
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...words) {
  const [options, callback] = Array.isArray(words[0]) ? words[0] : net._normalizeArgs(words);
  if (options.path) {
    if (!isWaiting && !DENIED.length) return connect.call(this, options, callback);
    process.nextTick(() => this.destroy(refusal(options.path)));
    return this;
  }
  const { host, port } = place(options);
  if (net.isIP(host) && isDenied(host)) {
    process.nextTick(() => this.destroy(refusal(host)));
    return this;
  }
  const lookup = checked(options.lookup ?? dns.lookup);
  return connect.call(this, { ...options, host, port, lookup }, callback);
};

if (isArtillery) {
  process.once("wedsync:go", () => {
    isWaiting = false;
    process.env.WEDSYNC_WENT = "1";
  });
  // Only stderr is kept for people, and Artillery speaks on stdout; where it works is no one's news.
  const write = process.stderr.write.bind(process.stderr);
  const here = `${process.cwd()}/`;
  const say = (words, ...more) => write(Buffer.from(words).toString().replaceAll(here, ""), ...more);
  process.stdout.write = say;
  process.stderr.write = say;
  process.on("uncaughtException", failAloud);
}

// As Node does, but through the words above.
function failAloud(error) {
  if (process.listenerCount("uncaughtException") > 1) return;
  console.error(error);
  process.exit(1);
}

// One of Artillery's workers is there, though not at work yet: the script may hang while it is
// loaded. What a thread runs, it knows a moment after this.
if (!isMainThread) process.nextTick(tellOfBirth);

function tellOfBirth() {
  if (!/platform.local.worker\.[jt]s$/.test(process.argv[1])) return;
  const channel = new BroadcastChannel("wedsync");
  channel.postMessage({ born: threadId });
  channel.close();
}
