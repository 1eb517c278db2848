import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";

const KEY = "ssh-ed25519 AAAA bootstrap-pxe-build";
const http = join(__dirname, "../../packer/http");
const text = (name: string) => readFileSync(join(http, name), "utf8").replaceAll("${ssh_public_key}", KEY);

/** The build user, as cloud-init's schema has it (module "Users and Groups"). */
const CloudConfig = z.strictObject({
  users: z.tuple([
    z.strictObject({
      name: z.literal("packer"),
      shell: z.string(),
      sudo: z.string(),
      lock_passwd: z.literal(true),
      ssh_authorized_keys: z.tuple([z.literal(KEY)]),
    }),
  ]),
  disable_root: z.literal(true),
  ssh_pwauth: z.literal(false),
});

/**
 * Those keys of autoinstall that are used here, as Subiquity's published autoinstall-schema.json types them. Strict,
 * where that one lets unknown top-level keys pass: a misspelt one would be ignored by the installer.
 */
const Autoinstall = z.strictObject({
  autoinstall: z.strictObject({
    version: z.literal(1),
    locale: z.string(),
    keyboard: z.strictObject({
      layout: z.string(),
      variant: z.string().optional(),
      toggle: z.string().optional(),
    }),
    storage: z.strictObject({
      layout: z.strictObject({ name: z.enum(["direct", "lvm", "zfs"]) }),
      swap: z.strictObject({ size: z.literal(0) }),
    }),
    ssh: z.strictObject({ "install-server": z.literal(true), "allow-pw": z.literal(false) }),
    updates: z.enum(["security", "all"]),
    shutdown: z.enum(["reboot", "poweroff"]),
    "user-data": CloudConfig,
  }),
});

test("the autoinstall user-data has no key and no value that the installer does not know", () => {
  expect(() => Autoinstall.parse(parse(text("user-data")))).not.toThrow();
});

test("the cloud image's user-data makes the same build user", () => {
  const cloud = z.looseObject(CloudConfig.shape);
  const [installed, image] = [text("user-data"), text("cloud-user-data")].map(
    (data) => parse(data) as object,
  );
  const { users } = cloud.parse(image);
  expect(users).toEqual(Autoinstall.parse(installed).autoinstall["user-data"].users);
});

test.each(["user-data", "cloud-user-data"])("%s starts with the line that cloud-init looks for", (name) => {
  expect(text(name).split("\n")[0]).toBe("#cloud-config");
});

test("the repository's copy has no password and nobody's key", () => {
  const raw = ["user-data", "cloud-user-data", "meta-data"].map((name) =>
    readFileSync(join(http, name), "utf8"),
  );
  expect(raw.join("")).not.toMatch(/passwd: ['"]?\$|password:|ssh-(rsa|ed25519) [A-Za-z0-9+/]/);
});
