import * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";
import { MANIFESTS } from "./manifests";

// What an artifact is called follows from its sources and the step's code, whatever that is at the moment.
jest.mock("../../components/step-code", () => ({ codeDigest: (program: string) => `code of ${program}` }));
jest.mock("../../components/identity", () => ({
  ...jest.requireActual<object>("../../components/identity"),
  folderDigest: () => Promise.resolve("what is in packer/"),
}));

/** What each step of a stack is told of its artifact. */
async function artifacts(config: Record<string, string>): Promise<Record<string, object>> {
  const told: Record<string, object> = {};
  const newResource = ({ name, type, inputs }: MockResourceArgs) => {
    const { create = "", stdin = "{}" } = inputs as { create?: string; stdin?: string };
    const { key, path, code } = JSON.parse(stdin) as Record<string, string>;
    if (MANIFESTS[name]) told[name] = { runs: create.replace(/ #.*/, ""), key, path, code };
    const state = { ...inputs, stdout: JSON.stringify(MANIFESTS[name]), bcryptHash: "$2a$10$hash" } as object;
    return { id: name, state: (type.startsWith("pxe:part:") ? inputs : state) as object };
  };
  await pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "bootstrap-pxe", "lab");
  const all = {
    ...{ bootstrapVersion: "1", minipcMac: "00:11:22:33:44:66", machineConfig: "Pulumi.yaml" },
    ...{ allowPlaintextSecrets: "true", ...config },
  };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(all).map(([key, value]) => [`bootstrap-pxe:${key}`, value])),
  );
  const { default: program } = (await import("../../index")) as unknown as { default: () => Promise<object> };
  await (pulumi.output(await program()) as unknown as { promise(): Promise<unknown> }).promise();
  return told;
}

test("artifacts keep their keys and paths, so that no stack makes anew what it has", async () => {
  const sources = { baseUrl: "https://mirror.example/base.img", baseSha256: "cd".repeat(32) };
  expect(await artifacts({ compress: "zstd", talosVersion: "v1.11.6", ...sources })).toMatchSnapshot();
});
