import { readFile } from "node:fs/promises";

const tables = JSON.parse(await readFile(new URL("./tables.json", import.meta.url), "utf8"));

export async function wishes(context) {
  context.vars.tables = tables;
}
