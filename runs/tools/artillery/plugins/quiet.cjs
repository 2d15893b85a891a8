// Which scenarios make no request that can be heard: those of an engine that is not Artillery's
// own, and those of HTTP that only call functions. Their users' sessions say how they fared.
"use strict";

const HEARD = ["http", "ws", "socketio"];
const PAUSES = ["think", "log", "function"];

function isQuiet({ engine, flow }, config, heard = HEARD) {
  const name = engine ?? config.engine ?? "http";
  return !heard.includes(name) || (name === "http" && areQuiet(flow));
}

function areQuiet(steps) {
  if (!Array.isArray(steps)) return false;
  return steps.flat().every((step) => {
    const inner = step?.loop ?? step?.parallel;
    return inner ? areQuiet(inner) : PAUSES.some((word) => word in Object(step));
  });
}

module.exports = { PAUSES, isQuiet };
