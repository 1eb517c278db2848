import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callerPath } from "../../../commands/caller-path";
import { refuseTaken, writeKubeconfig } from "../../../commands/node/kubeconfig-file";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "kubeconfig-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a kubeconfig is for its owner alone, and nothing else stays beside it", async () => {
  const path = join(folder, "nuc1");
  refuseTaken(path);
  await writeKubeconfig(path, "apiVersion: v1\n");
  expect(readFileSync(path, "utf8")).toBe("apiVersion: v1\n");
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  expect(readdirSync(folder)).toEqual(["nuc1"]);
});

test("what came to its place meanwhile is kept", async () => {
  const path = join(folder, "nuc1");
  writeFileSync(path, "mine");
  await expect(writeKubeconfig(path, "theirs")).rejects.toThrow(
    `writing ${path}: it is there meanwhile. Name another file, or move it away first`,
  );
  expect(readFileSync(path, "utf8")).toBe("mine");
  expect(readdirSync(folder)).toEqual(["nuc1"]);
});

test("its name counts from where npm was started", () => {
  expect(callerPath("k", { INIT_CWD: "/home/me" })).toBe("/home/me/k");
  expect(callerPath("/etc/k", { INIT_CWD: "/home/me" })).toBe("/etc/k");
});
