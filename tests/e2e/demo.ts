import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { checkConfig } from "../../stack/config";
import { TOP } from "../tools";

const { config } = parse(readFileSync(join(TOP, "Pulumi.demo.yaml"), "utf8")) as {
  config: Record<string, string>;
};
/** The config of the demo's stack, by key, as its file has it. */
export const demoConfig = Object.fromEntries(
  Object.entries(config).map(([key, value]) => [key.split(":")[1] as string, value]),
);
/** The config of the demo's stack, as checked. */
export const demo = checkConfig(demoConfig, "demo");
