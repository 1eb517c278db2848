import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { fileDigest } from "../../components/identity";
import { MachineConfig, type MachineConfigArgs } from "../../components/MachineConfig";
import { codeDigest } from "../../components/step-code";
import { clusterRecord, type ClusterRecord } from "../../steps/talos/cluster-record";
import { readNodeConfig } from "../../steps/talos/read-node-config";
import { compile } from "../../tools/compile.cjs";
import { AROUND, made } from "./talos/cases";

jest.mock("../../steps/talos/cluster-record");

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
const path = join(folder, "encrypted.yaml");
beforeAll(compile);
beforeAll(() => writeFileSync(path, "machine: ENC[x]\n"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a preview says of the config, in which the check would run anew: then nothing that it prints is known. */
async function foretold(
  args: Partial<MachineConfigArgs>,
  last: Partial<ClusterRecord> = {},
): Promise<unknown[]> {
  const record = { node: readNodeConfig(made("v1.11.6")), leases: [], code: codeDigest("machine-config") };
  jest
    .mocked(clusterRecord)
    .mockReturnValue({ ...record, encryptedSha256: fileDigest(path), ...last } as unknown as ClusterRecord);
  const said = jest.spyOn(console, "warn").mockImplementation();
  const noted = jest.spyOn(pulumi.log, "info").mockResolvedValue();
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ name, inputs }) => ({ id: name, state: inputs as object }),
    call: ({ inputs }) => inputs as object,
  };
  await pulumi.runtime.setMocks(mocks, "bootstrap-pxe", "lab", true);
  await new MachineConfig("config", {
    ...AROUND,
    ...{ path, talosVersion: "v1.11.6", allowPlaintext: false, acceptWarnings: [], ...args },
  }).foretold;
  const lines = [said, noted].flatMap(({ mock }) => (mock.calls as unknown[][]).map(([words]) => words));
  said.mockRestore();
  noted.mockRestore();
  return lines;
}

test("a preview shows the warnings of the check, if the same file was read before", async () => {
  expect(await foretold({})).toEqual([]);
  const warned = [expect.stringContaining("(no-images: acceptWarnings silences it)")];
  expect(await foretold({ uplink: false })).toEqual(warned);
  expect(await foretold({ uplink: false, acceptWarnings: ["no-images"] })).toEqual([]);
});

test("a preview says that it did not look where nothing is known of the file, or the check has changed", async () => {
  const unchecked = [
    expect.stringMatching(/encrypted\.yaml, .* or it never was: up checks it first, and only then/),
  ];
  expect(await foretold({ uplink: false }, { encryptedSha256: "another" })).toEqual(unchecked);
  expect(await foretold({ uplink: false }, { code: "of an earlier version" })).toEqual(unchecked);
});

test("a preview shows what the check will refuse", async () => {
  expect(await foretold({ minipcIp: "10.10.10.101" })).toEqual([
    expect.stringMatching(
      /up will refuse .*encrypted\.yaml: the cluster's endpoint .* is on the isolated link/,
    ),
  ]);
});
