import { environmentFor } from "../../steps/programs/environment";

const everyday = {
  PATH: "/bin",
  HOME: "/home/me",
  https_proxy: "http://proxy:3128",
  TMPDIR: "/tmp",
  LANG: "C",
};
const pulumi = {
  PULUMI_CONFIG_PASSPHRASE: "p",
  PULUMI_CONFIG_PASSPHRASE_FILE: "/p",
  PULUMI_ACCESS_TOKEN: "t",
};
const aws = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_PROFILE: "me" };
const own = { IDRIVE_ACCESS_KEY: "c", IDRIVE_SECRET_KEY: "d", BOOTSTRAP_PXE_ISO_URL: "https://h/x?sig=1" };
const sops = { SOPS_AGE_KEY: "AGE-SECRET-KEY-1", SOPS_AGE_KEY_FILE: "/k", VAULT_ADDR: "https://vault" };
const clouds = {
  GOOGLE_APPLICATION_CREDENTIALS: "/g.json",
  CLOUDSDK_CONFIG: "/gcloud",
  AZURE_CLIENT_SECRET: "i",
};
const others = { GITHUB_TOKEN: "g", MY_PASSWORD: "h" };
const step = { CONSOLE_HASH: "$2a$", URL_QUERY: "?sig=1" };
const all = { ...everyday, ...pulumi, ...aws, ...own, ...sops, ...clouds, ...others, ...step };

test.each([
  ["curl", everyday],
  ["/checkout/steps/programs/qemu-bound", everyday],
  ["docker-registry", everyday],
  ["sops", { ...everyday, ...aws, ...sops, ...clouds, ...others }],
  ["skopeo", { ...everyday, ...aws, ...clouds, ...others }],
  ["pulumi", { ...everyday, ...pulumi, ...aws, ...own, ...sops, ...clouds, ...others }],
])("%s gets of the environment's secrets what it needs", (program, wanted) => {
  expect(environmentFor(program, all)).toEqual(wanted);
});
