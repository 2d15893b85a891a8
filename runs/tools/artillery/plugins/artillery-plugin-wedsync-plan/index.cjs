// Runs inside Artillery's main thread: writes what the whole script came to, once its environment,
// variables and templates are resolved, and ends Artillery before a hook, a worker or a request.
"use strict";

const fs = require("node:fs");
const { engineOf, isQuiet, unknownOf } = require("../flow.cjs");

class Plugin {
  constructor(script) {
    const { config } = script;
    const plan = {
      artillery: global.artillery.version,
      node: process.version,
      target: config.target ?? "",
      phases: config.phases,
      plugins: Object.keys(config.plugins),
      scenarios: (script.scenarios ?? []).map((scenario) => ({
        name: String(scenario.name ?? ""),
        engine: engineOf(scenario, config),
        quiet: isQuiet(scenario, config),
        ...unknownOf(scenario, config),
      })),
      ensure: config.ensure ?? config.plugins.ensure ?? {},
      hooks: ["before", "after"].filter((hook) => script[hook]),
      urls: addresses([script.scenarios, script.before, script.after]),
    };
    fs.writeFileSync(process.env.WEDSYNC_PLAN, JSON.stringify(plan));
    process.exit(0);
  }
}

// Every text in the script that begins like an address, without its path.
function addresses(part, found = new Set()) {
  if (typeof part === "string") {
    const address = /^(?:https?|wss?):\/\/[^/?#]+/.exec(part);
    if (address) found.add(address[0]);
  } else if (part && typeof part === "object") {
    for (const inner of Object.values(part)) addresses(inner, found);
  }
  return [...found];
}

module.exports = { Plugin, LEGACY_METRICS_FORMAT: false };
