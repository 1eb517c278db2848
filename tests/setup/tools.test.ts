import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import type { RequestListener } from "node:http";
import { bringTool, isHeld } from "../../tools/setup/tools.cjs";
import type { Recipe } from "../../tools/setup/recipes.cjs";
import { fits, versionIn } from "../../tools/setup/versions.cjs";
import { sha256Of } from "../tools";
import { FakeMachine, NOWHERE } from "./fake-machine";

let machine: FakeMachine;
let origin: string;
const PROGRAM = "#!/bin/sh\necho v1.4.2\n";

beforeEach(async () => {
  machine = new FakeMachine();
  origin = await machine.start();
  machine.publish("/tool-1.4.2", PROGRAM);
  machine.publish("/sums", `${sha256Of(PROGRAM)}  tool-1.4.2\n`);
});
afterEach(() => machine.remove());

const recipe: Recipe = {
  name: "tool",
  pin: { version: "1.4.2", atLeast: "1.4.0", below: "2.0.0" },
  files: ["tool"],
  asks: ["version"],
  official: ({ github }) => ({ origin: github, url: `${github}/tool-1.4.2`, sums: `${github}/sums` }),
};
const brought = () => machine.path("cache/bin/tool");

test.each([
  ["1.4.2", true],
  ["1.4.0", true],
  ["1.9.9", true],
  ["1.3.9", false],
  ["2.0.0", false],
  ["1.10.0", true],
])("version %s fits 1.4.0 up to 2.0.0: %s", (version, expected) => {
  expect(fits(version, recipe.pin)).toBe(expected);
});

test.each([
  ["Packer v1.14.3", "1.14.3"],
  ["Client:\n\tTalos v1.11.6", "1.11.6"],
  ["go version go1.26 linux/amd64", "1.26.0"],
  ["no version", undefined],
])("the version in %j is %s", (text, version) => {
  expect(versionIn(text)).toBe(version);
});

test("a tool that the machine has in a fitting version is used, and nothing is fetched", async () => {
  const own = machine.program("tool", "echo tool v1.5.0");
  const context = machine.context(origin);
  expect(await bringTool(recipe, context)).toBeUndefined();
  expect(machine.said).toEqual([`tool 1.5.0: this machine's own, ${own}`]);
  expect(machine.requests).toEqual([]);
  expect(isHeld(recipe, context)).toBe(true);
});

test("a tool that is too old is not used, and is forgotten when it is removed", async () => {
  machine.program("tool", "echo tool v1.3.0");
  const context = machine.context(origin);
  expect(await bringTool(recipe, context)).toBeUndefined();
  expect(readFileSync(brought(), "utf8")).toBe(PROGRAM);
});

test("a machine's own tool that vanished is noticed", async () => {
  const own = machine.program("tool", "echo tool v1.5.0");
  const context = machine.context(origin);
  await bringTool(recipe, context);
  rmSync(own);
  expect(isHeld(recipe, context)).toBe(false);
});

test("an official download is checked against its maker's checksum; a second run does nothing", async () => {
  const context = machine.context(origin);
  expect(await bringTool(recipe, context)).toBeUndefined();
  expect(readFileSync(brought(), "utf8")).toBe(PROGRAM);
  expect(isHeld(recipe, context)).toBe(true);
});

test("a wrong checksum is refused, and nothing is kept", async () => {
  machine.publish("/tool-1.4.2", "#!/bin/sh\nevil\n");
  const failure = await bringTool(recipe, machine.context(origin));
  expect(failure?.what).toBe("tool 1.4.2");
  expect(failure?.tried).toEqual([expect.stringContaining(`says ${sha256Of(PROGRAM)}`)]);
  expect(existsSync(brought())).toBe(false);
});

describe("a maker's server that does not do what it should is passed over, and the reason is given", () => {
  /** @param limits an hour for each, unless one is what is tried: a busy machine may be slow itself */
  const tried = async (
    path: string,
    route: RequestListener,
    limits: { stall?: string; list?: string } = {},
  ) => {
    machine.answer(path, route);
    const context = machine.context(origin);
    const { stall = "3600", list = "3600" } = limits;
    Object.assign(context.env, { BOOTSTRAP_PXE_STALL_SECONDS: stall, BOOTSTRAP_PXE_LIST_SECONDS: list });
    return (await bringTool(recipe, context))?.tried.join("\n");
  };

  test("one that sends the list, and then nothing", async () => {
    const silent = await tried("/tool-1.4.2", (_request, response) => response.write("x"), { stall: "1" });
    expect(silent).toMatch(/tool-1\.4\.2: \(28\) Operation too slow/);
  });

  test("one that takes the request for the list and says nothing", async () => {
    const silent = await tried("/sums", () => undefined, { list: "0.5" });
    // A busy machine may need as long for the connection alone.
    expect(silent).toMatch(/tool-1\.4\.2: \(28\) (Operation|Connection) timed out/);
  });

  test("one whose list has no end", async () => {
    const endless: RequestListener = (_request, response) => {
      const send = () => {
        while (response.write("0".repeat(1 << 16)));
      };
      response.on("drain", send);
      send();
    };
    expect(await tried("/sums", endless)).toContain("was given more than 1048576 bytes");
  });

  test("a login page", async () => {
    const page: RequestListener = (_request, response) =>
      response.end("<!DOCTYPE html><title>Log in</title>");
    expect(await tried("/sums", page)).toContain("/sums is a page of HTML");
  });

  test("one with a fault that another try does not cure: the message says what does", async () => {
    const redirect: RequestListener = (_request, response) =>
      response.writeHead(302, { location: `${origin}/elsewhere` }).end();
    expect(await tried("/sums", redirect)).toContain("redirects from https to http");
  });
});

test("where the maker cannot be reached, the failure says so", async () => {
  const failure = await bringTool(recipe, machine.context(NOWHERE));
  expect(failure?.tried).toEqual([
    expect.stringMatching(/tool-1\.4\.2: http:\S+ does not answer: \(7\) Failed to connect /),
  ]);
});

test.each([
  ["altered", () => appendFileSync(brought(), "# more\n")],
  ["removed", () => rmSync(brought())],
])("a tool that was %s is brought again", async (_how, spoil) => {
  const context = machine.context(origin);
  await bringTool(recipe, context);
  spoil();
  expect(isHeld(recipe, context)).toBe(false);
  await bringTool(recipe, context);
  expect(readFileSync(brought(), "utf8")).toBe(PROGRAM);
});

test("another pinned version is another tool", async () => {
  const context = machine.context(origin);
  await bringTool(recipe, context);
  expect(isHeld({ ...recipe, pin: { ...recipe.pin, version: "1.4.3" } }, context)).toBe(false);
});
