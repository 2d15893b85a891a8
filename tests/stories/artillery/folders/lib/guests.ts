import { season as ofTheYear } from "./season";

type Vars = { vars: Record<string, unknown> };
type Events = { emit: (kind: string, name: string, value: number) => void };

export async function openDoors(context: Vars): Promise<void> {
  context.vars.door = "open";
}

export async function greet(_context: Vars, events: Events): Promise<void> {
  events.emit("counter", "greeted", 1);
}

export function season(request: any, _context: Vars, _events: Events, done: () => void): void {
  request.headers = { ...request.headers, "x-season": ofTheYear() };
  done();
}

export function look(_request: unknown, response: any, _context: Vars, _events: Events, done: (why?: Error) => void): void {
  done(JSON.parse(response.body)["x-season"] === "peak" ? undefined : new Error("no season"));
}
