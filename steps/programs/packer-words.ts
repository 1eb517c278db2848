/** What Packer prints before its words: a time, the source's name. */
const LABEL = /^(\d{4}-\d\d-\d\dT\S+: )?(==> | {4})?qemu\.[a-z-]+: /;

/** What Packer says when it begins something that takes long, and what is said of it here. */
const PHASES: [words: RegExp, phase: (match: RegExpExecArray) => string][] = [
  [/^Copying hard drive/, () => "the source goes to the guest's disk"],
  [/^Starting VM/, () => "the guest starts"],
  [/^Waiting for SSH/, () => "the guest boots, until ssh answers"],
  [/^Connected to SSH/, () => "the guest answers by ssh"],
  [
    /^Provisioning with shell script: .*\/(provision\/[^/]+)$/,
    ([, script]) => `the guest runs packer/${script}`,
  ],
  [/^Gracefully halting/, () => "the guest is sealed and shuts down"],
  [/^Converting hard drive/, () => "the guest's disk is copied"],
];

/** A line of Packer's without what stands before its words. */
export const packersWords = (line: string) => line.replace(LABEL, "");

/** What a line of Packer's says of where its build is, in a few words; undefined of any other line. */
export function phaseOf(line: string): string | undefined {
  const words = packersWords(line);
  for (const [pattern, phase] of PHASES) {
    const match = pattern.exec(words);
    if (match) return phase(match);
  }
  return undefined;
}

/** Why a build failed, if a line of Packer's says so: it is the first of several, and much may follow. */
export const reasonIn = (line: string): string | undefined =>
  /Build '[^']*' errored after [^:]*: (.+)$/.exec(line)?.[1];
