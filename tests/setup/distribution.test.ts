import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { newerIpxeSource } from "../../demo/base/newer-ipxe";
import layout from "../../demo/base/packages.json";
import { DRIVERS } from "../../demo/iso/make";
import { OLDEST_QEMU } from "../../rehearsal/machines/machine";
import { SYSTEM_PACKAGES } from "../../tools/setup/apt.cjs";
import { CHECKERS, REGISTRY_GROUP } from "../../tools/setup/checkers.cjs";
import {
  archives,
  distribution,
  IN_PACKAGES,
  kernelModule,
  kernelPackages,
  untriedLine,
} from "../../tools/setup/distribution.cjs";
import { testFolder } from "../steps/run-step";

const folder = testFolder();

/** What commands print of a release, cut to what matters, by the command. Ubuntu's is what its archive says: nobody ran it there. */
function listing(release: string) {
  const text = readFileSync(join(__dirname, "distributions", `${release}.txt`), "utf8");
  const parts = Object.fromEntries(
    text
      .split(/^# /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1).trimEnd()]),
  );
  const part = (name: string) => parts[name] ?? "";
  return {
    osRelease: part("cat /etc/os-release"),
    targets: part("apt-get indextargets"),
    names: part("apt-cache pkgnames").split("\n"),
    files: part("files of the packages").split("\n"),
    builtin: part("modules.builtin"),
    /** A package's version, without the distribution's epoch and revision. */
    version: (name: string) =>
      semver.coerce(
        new RegExp(`^${name}:\\n  Candidate: (?:\\d+:)?(\\S+)`, "m").exec(part("apt-cache policy"))?.[1],
      )?.version ?? "none",
    depends: (name: string) =>
      Promise.resolve(
        part("apt-cache depends")
          .split(/^(?=\S)/m)
          .find((depends) => depends.startsWith(`${name}\n`)) ?? "",
      ),
  };
}

/** The distribution that an os-release file tells of. */
function told(osRelease: string) {
  const file = join(folder, "os-release");
  writeFileSync(file, osRelease);
  return { found: distribution(file), untried: untriedLine(file) };
}

/** The oldest version of a program, by its package, that can do what this project asks of it (each program's own NEWS). */
const OLDEST: [name: string, version: string, asked: string][] = [
  ["qemu-system-x86", OLDEST_QEMU, "a stream netdev on a unix socket"],
  ["squashfs-tools", "4.5.0", "sqfstar"],
  ["e2fsprogs", "1.43.0", "mke2fs -d"],
  ["mtools", "4.0.0", "mdir and mcopy of an image file"],
  ["cpio", "2.12.0", "cpio --reproducible"],
  ["zstd", "1.4.4", "zstd --stream-size"],
];

const RELEASES = {
  "debian-12": {
    name: "Debian GNU/Linux 12 (bookworm)",
    tried: true,
    archives: [
      "deb http://deb.debian.org/debian/ bookworm main",
      "deb http://deb.debian.org/debian/ bookworm-updates main",
      "deb http://deb.debian.org/debian-security/ bookworm-security main",
    ],
    kernel: ["linux-image-6.1.0-56-amd64"],
    found: {
      busybox: "./bin/busybox",
      kernel: "./boot/vmlinuz-6.1.0-56-amd64",
      builtinModules: "./lib/modules/6.1.0-56-amd64/modules.builtin",
    },
    modules: {
      virtio_pci: { file: "./lib/modules/6.1.0-56-amd64/kernel/drivers/virtio/virtio_pci.ko" },
      virtio_net: { file: "./lib/modules/6.1.0-56-amd64/kernel/drivers/net/virtio_net.ko" },
      "xt-addrtype": { file: "./lib/modules/6.1.0-56-amd64/kernel/net/netfilter/xt_addrtype.ko" },
      af_packet: "built in",
      nvme: { file: "./lib/modules/6.1.0-56-amd64/kernel/drivers/nvme/host/nvme.ko" },
    },
  },
  "debian-13": {
    name: "Debian GNU/Linux 13 (trixie)",
    tried: true,
    archives: [
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian/ trixie main",
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian/ trixie-updates main",
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security/ trixie-security main",
    ],
    kernel: ["linux-image-6.12.118+deb13-amd64"],
    found: {
      busybox: "./usr/bin/busybox",
      kernel: "./boot/vmlinuz-6.12.118+deb13-amd64",
      builtinModules: "./usr/lib/modules/6.12.118+deb13-amd64/modules.builtin",
    },
    modules: {
      virtio_pci: "built in",
      virtio_net: {
        file: "./usr/lib/modules/6.12.118+deb13-amd64/kernel/drivers/net/virtio_net.ko.xz",
        packer: "xz",
      },
      "xt-addrtype": {
        file: "./usr/lib/modules/6.12.118+deb13-amd64/kernel/net/netfilter/xt_addrtype.ko.xz",
        packer: "xz",
      },
      af_packet: "built in",
      nvme: {
        file: "./usr/lib/modules/6.12.118+deb13-amd64/kernel/drivers/nvme/host/nvme.ko.xz",
        packer: "xz",
      },
    },
  },
  "ubuntu-24.04": {
    name: "Ubuntu 24.04.1 LTS",
    tried: false,
    archives: [
      "deb http://archive.ubuntu.com/ubuntu/ noble main universe",
      "deb http://archive.ubuntu.com/ubuntu/ noble-updates main universe",
      "deb http://security.ubuntu.com/ubuntu/ noble-security main universe",
    ],
    kernel: ["linux-image-6.8.0-151-generic", "linux-modules-6.8.0-151-generic"],
    found: {
      busybox: "./usr/bin/busybox",
      kernel: "./boot/vmlinuz-6.8.0-151-generic",
      builtinModules: "./lib/modules/6.8.0-151-generic/modules.builtin",
    },
    modules: {
      virtio_pci: "built in",
      e1000e: {
        file: "./lib/modules/6.8.0-151-generic/kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko.zst",
        packer: "zstd",
      },
      virtio_net: "built in",
      af_packet: "built in",
    },
  },
};

describe.each(Object.entries(RELEASES))("%s, by its own listings", (release, expected) => {
  const listed = listing(release);
  const { found, untried } = told(listed.osRelease);

  test("is known, and said to be untried where it is", () => {
    expect(found).toMatchObject({ name: expected.name });
    if (expected.tried) expect(untried).toBeUndefined();
    else
      expect(untried).toMatch(`Nobody has tried ${expected.name} yet (Debian 12 and Debian 13 were tried).`);
  });

  test("has every package that set-up and the demo install", () => {
    const wanted = [
      ...SYSTEM_PACKAGES.map(({ apt }) => apt),
      ...Object.values(CHECKERS),
      ...Object.values(REGISTRY_GROUP.programs),
      ...layout.packages,
      "systemd-boot-efi",
    ];
    expect(wanted.filter((name) => !listed.names.includes(name))).toEqual([]);
  });

  test("gives the demo's base its own archive, with the updates and the keyring that apt checks it by", () => {
    expect(archives(found!, listed.targets)).toEqual(expected.archives);
  });

  test("gives the demo's base an iPXE that tries again on UEFI, from a later release of the same archive if need be", () => {
    const isOld = release === "debian-12";
    expect(newerIpxeSource(found!, archives(found!, listed.targets))).toEqual(
      isOld
        ? "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian/ trixie main"
        : undefined,
    );
  });

  test("has its newest kernel in packages that apt's dependencies lead to", async () => {
    expect(await kernelPackages(found!.family.kernel, listed.depends)).toEqual(expected.kernel);
  });

  test("has the files that the demo's node is made of where they are looked for", () => {
    const places = Object.entries(IN_PACKAGES).map(([what, pattern]) => [
      what,
      listed.files.filter((file) => pattern.test(file)).join(", "),
    ]);
    expect(Object.fromEntries(places)).toEqual(expected.found);
  });

  test("has each module as a file, packed or not, or built in", () => {
    const modules = Object.keys(expected.modules).map((name) => [
      name,
      kernelModule(name, listed.files, listed.builtin),
    ]);
    expect(Object.fromEntries(modules)).toEqual(expected.modules);
  });

  test("has every driver that the demo's node needs", () => {
    const missing = DRIVERS.filter((name) => !kernelModule(name, listed.files, listed.builtin));
    expect(missing).toEqual([]);
  });

  test.each(OLDEST)("has a %s of %s or newer, for %s", (name, oldest) => {
    expect(semver.gte(listed.version(name), oldest)).toBe(true);
  });

  test("has no module of a name that is neither a file nor built in", () => {
    expect(kernelModule("virtio_ne", listed.files, listed.builtin)).toBeUndefined();
    expect(kernelModule("net", listed.files, listed.builtin)).toBeUndefined();
  });
});

test.each([
  [
    "a descendant of Ubuntu",
    'ID=linuxmint\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Linux Mint 22"\nVERSION_ID="22"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n',
    { name: "Linux Mint 22", codename: "noble", kernel: "linux-image-virtual" },
  ],
  [
    "a descendant of Debian",
    "ID=lmde\nID_LIKE=debian\nPRETTY_NAME='LMDE 6'\nVERSION_ID=6\nVERSION_CODENAME=faye\nDEBIAN_CODENAME=bookworm\n",
    { name: "LMDE 6", codename: "bookworm", kernel: "linux-image-amd64" },
  ],
  [
    "a Debian to come",
    'ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky\n',
    { name: "Debian GNU/Linux forky/sid", codename: "forky", kernel: "linux-image-amd64" },
  ],
])(
  "%s is recognised by the archive that it is made from, and said to be untried",
  (_what, osRelease, expected) => {
    const { found, untried } = told(osRelease);
    expect({ name: found?.name, codename: found?.codename, kernel: found?.family.kernel }).toEqual(expected);
    expect(untried).toContain(`Nobody has tried ${expected.name} yet`);
  },
);

test.each([
  ["another distribution", 'ID=fedora\nPRETTY_NAME="Fedora Linux 43"\nVERSION_ID=43\n', "Fedora Linux 43"],
  ["a file that says nothing", "", "this system"],
])("%s is not taken for Debian, and said to be untried", (_what, osRelease, name) => {
  const { found, untried } = told(osRelease);
  expect(found).toBeUndefined();
  expect(untried).toContain(`Nobody has tried ${name} yet`);
});

test("a machine's own mirror is used; an installation medium and an unsigned source are not", () => {
  const target = (change: Record<string, string>) =>
    Object.entries({
      "Created-By": "Packages",
      Origin: "Debian",
      Codename: "trixie",
      Component: "main",
      Release: "stable",
      Trusted: "yes",
      "Repo-URI": "https://mirror.example.org/debian/",
      ...change,
    })
      .map((field) => field.join(": "))
      .join("\n");
  const targets = [
    target({}),
    target({ "Repo-URI": "cdrom://[Debian]/" }),
    target({ "Repo-URI": "file:/srv/debian/" }),
    target({ "Repo-URI": "https://unsigned.example.org/", Trusted: "no" }),
    target({ "Repo-URI": "https://docker.example.org/", Origin: "Docker" }),
    target({ Codename: "trixie-backports", Release: "stable-backports" }),
  ];
  const from = told("ID=debian\nVERSION_CODENAME=trixie\n").found!;
  expect(archives(from, targets.join("\n\n"))).toEqual([
    "deb https://mirror.example.org/debian/ stable main",
  ]);
  expect(archives(from, "")).toEqual([]);
});
