import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { checkConfig } from "../../stack/config";
import { TOP } from "../tools";

const { config } = parse(readFileSync(join(TOP, "Pulumi.demo.yaml"), "utf8")) as {
  config: Record<string, string>;
};
/** The config of the demo's stack, as checked. */
export const demo = checkConfig(
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key.split(":")[1] as string, value])),
  "demo",
);
