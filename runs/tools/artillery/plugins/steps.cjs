// Which steps of a flow its engine does not know. Artillery's HTTP engine takes any word for the
// method of a request, so one that is misspelt is sent, and no site knows it.
"use strict";

const { PAUSES } = require("./quiet.cjs");

const HTTP = require("node:http").METHODS.map((word) => word.toLowerCase());
const KNOWN = {
  http: [...HTTP, "loop", "parallel", ...PAUSES],
  ws: ["connect", "send", "wait", "loop", ...PAUSES],
  socketio: ["emit", ...HTTP, "loop", "parallel", ...PAUSES],
};

// Of an engine that is not Artillery's own nobody here can say what it knows.
function unknownOf({ engine, flow }, config) {
  const name = engine ?? config.engine ?? "http";
  if (!Object.hasOwn(KNOWN, name)) return { unknown: [], idle: false };
  const known = KNOWN[name];
  const steps = leaves(flow);
  const unknown = steps.filter((step) => !known.some((word) => Object.hasOwn(step, word))).map(nameOf);
  const pauses = steps.filter((step) => PAUSES.some((word) => Object.hasOwn(step, word)));
  const idle = unknown.length > 0 && unknown.length + pauses.length === steps.length;
  return { unknown: [...new Set(unknown)], idle };
}

// Every step, also those within loops.
function leaves(flow) {
  if (!Array.isArray(flow)) return [];
  return flow.flat().flatMap((step) => {
    const inner = step?.loop ?? step?.parallel;
    return Array.isArray(inner) ? leaves(inner) : [Object(step)];
  });
}

function nameOf(step) {
  const name = step instanceof String ? step : (Object.keys(step)[0] ?? "{}");
  return String(name).slice(0, 60);
}

module.exports = { unknownOf };
