import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inToolEnvironment } from "../tools";
import { testFolder } from "./run-step";

const folder = testFolder();

test.each(["cloud-image", "autoinstall-iso"])(
  "packer validate accepts the template for %s",
  async (source) => {
    const key = join(folder, source);
    await inToolEnvironment("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const variables = {
      source_path: join(folder, "source.img"),
      source_sha256: "0".repeat(64),
      output_directory: join(folder, "out"),
      ssh_private_key_file: key,
      ssh_public_key: readFileSync(`${key}.pub`, "utf8").trim(),
    };
    const flags = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);
    const template = "packer/bootstrap.pkr.hcl";
    const { all } = await inToolEnvironment("packer", [
      "validate",
      `-only=qemu.${source}`,
      ...flags,
      template,
    ]);
    expect(all).toBe("The configuration is valid.");
  },
);
