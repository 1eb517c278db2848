import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogSeverity, type LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { TOP } from "../tools";

/** Where the plugins under test are: the stand-ins, or a folder of real ones. */
const PLUGINS = process.env.BOOTSTRAP_PXE_PLUGINS ?? join(TOP, "tools/plugins/bin");

/** A value that is not known before the resource is made. */
export const UNKNOWN = unknownValue;

export const secret = (value: JavaScriptValue) => ({ [specialSigKey]: specialSecretSig, value });

export type Properties = Record<string, JavaScriptValue>;

/** What a change of inputs leads to. */
export interface Difference {
  changes: string;
  /** Inputs that differ, sorted. */
  diffs: string[];
  /** Those of them whose change replaces, sorted. */
  replaces: string[];
  /** The kind of each change, by the property's path. */
  detailed: Record<string, string>;
}

/** A line that the plugin had the engine show. */
export interface Line {
  severity: string;
  urn: string;
  message: string;
  /** Shown while the resource is worked on, and not kept. */
  passing: boolean;
}

const decode = (message: Struct | undefined): Properties => message?.toJavaScript() ?? {};
const encode = (properties: Properties) => Struct.fromJavaScript(properties);

const nameIn = (names: object, value: number) =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);

type Reply<T> = (fault: grpc.ServiceError | null, answer: T) => void;

function answerTo<T>(call: (reply: Reply<T>) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((fault, answer) => (fault ? reject(new Error(fault.details)) : resolve(answer)));
  });
}

/** An engine that only keeps what it is told to show. */
async function serveEngine(shown: EventEmitter): Promise<{ server: grpc.Server; address: string }> {
  const server = new grpc.Server();
  server.addService(EngineService, {
    log({ request }: grpc.ServerUnaryCall<LogRequest, Empty>, reply: grpc.sendUnaryData<Empty>) {
      shown.emit("line", {
        severity: nameIn(LogSeverity, request.getSeverity()),
        urn: request.getUrn(),
        message: request.getMessage(),
        passing: request.getEphemeral(),
      } satisfies Line);
      reply(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (fault, port) =>
      fault ? reject(fault) : resolve(port),
    );
  });
  return { server, address: `127.0.0.1:${port}` };
}

/** A running resource plugin, asked about one resource in the engine's words. */
export class Plugin {
  readonly urn: string;

  private constructor(
    type: string,
    private readonly child: ChildProcess,
    private readonly engine: grpc.Server,
    private readonly client: ResourceProviderClient,
    /** Emits each `line` that the plugin has the engine show. */
    readonly shown: EventEmitter<{ line: [Line] }>,
  ) {
    this.urn = `urn:pulumi:test::bootstrap-pxe::${type}::subject`;
  }

  /** Starts `pulumi-resource-<name>` as the engine does, for a resource of the type. */
  static async start(
    name: string,
    type: string,
    { config = {}, env = {} }: { config?: Properties; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Plugin> {
    const shown = new EventEmitter<{ line: [Line] }>();
    const { server, address } = await serveEngine(shown);
    const child = spawn(join(PLUGINS, `pulumi-resource-${name}`), [address], {
      stdio: ["ignore", "pipe", "inherit"],
      // The engine starts a plugin in the program's folder.
      cwd: TOP,
      env: { ...process.env, ...env },
    });
    const ended = once(child, "exit").then(([code]: unknown[]) => {
      throw new Error(`the ${name} plugin ended with ${String(code)} before it served`);
    });
    const [port] = (await Promise.race([
      once(createInterface({ input: child.stdout }), "line"),
      ended,
    ])) as string[];
    ended.catch(() => {});
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const plugin = new Plugin(type, child, server, client, shown);
    await plugin.configure(config);
    return plugin;
  }

  private configure(config: Properties) {
    const request = new messages.ConfigureRequest();
    request.setAcceptsecrets(true);
    request.setAcceptresources(true);
    request.setSendsOldInputs(true);
    request.setSendsOldInputsToDelete(true);
    request.setArgs(encode(config));
    return answerTo<messages.ConfigureResponse>((reply) => this.client.configure(request, reply));
  }

  /** The inputs as the plugin takes them, and its faults by input. */
  async check(inputs: Properties): Promise<{ inputs: Properties; faults: Record<string, string> }> {
    const request = new messages.CheckRequest();
    request.setUrn(this.urn);
    request.setOlds(encode({}));
    request.setNews(encode(inputs));
    request.setRandomseed(Buffer.alloc(32, 1));
    const answer = await answerTo<messages.CheckResponse>((reply) => this.client.check(request, reply));
    const faults: Record<string, string> = {};
    for (const fault of answer.getFailuresList()) faults[fault.getProperty()] = fault.getReason();
    return { inputs: decode(answer.getInputs()), faults };
  }

  /** The inputs as the plugin takes them, all of them right. */
  async checked(inputs: Properties): Promise<Properties> {
    const answer = await this.check(inputs);
    if (Object.keys(answer.faults).length > 0) throw new Error(JSON.stringify(answer.faults));
    return answer.inputs;
  }

  async diff(state: Properties, oldInputs: Properties, inputs: Properties): Promise<Difference> {
    const request = new messages.DiffRequest();
    request.setId("subject");
    request.setUrn(this.urn);
    request.setOlds(encode(state));
    request.setOldInputs(encode(await this.checked(oldInputs)));
    request.setNews(encode(await this.checked(inputs)));
    const answer = await answerTo<messages.DiffResponse>((reply) => this.client.diff(request, reply));
    const detailed: [string, string][] = [];
    answer.getDetaileddiffMap().forEach((change: messages.PropertyDiff, path: string) => {
      detailed.push([path, nameIn(messages.PropertyDiff.Kind, change.getKind())]);
    });
    return {
      changes: nameIn(messages.DiffResponse.DiffChanges, answer.getChanges()),
      diffs: answer.getDiffsList().sort(),
      replaces: answer.getReplacesList().sort(),
      detailed: Object.fromEntries(detailed),
    };
  }

  async create(inputs: Properties, { preview = false } = {}): Promise<{ id: string; state: Properties }> {
    const request = new messages.CreateRequest();
    request.setUrn(this.urn);
    request.setProperties(encode(await this.checked(inputs)));
    request.setPreview(preview);
    const answer = await answerTo<messages.CreateResponse>((reply) => this.client.create(request, reply));
    return { id: answer.getId(), state: decode(answer.getProperties()) };
  }

  async update(
    state: Properties,
    oldInputs: Properties,
    inputs: Properties,
    { preview = false } = {},
  ): Promise<Properties> {
    const request = new messages.UpdateRequest();
    request.setId("subject");
    request.setUrn(this.urn);
    request.setOlds(encode(state));
    request.setOldInputs(encode(await this.checked(oldInputs)));
    request.setNews(encode(await this.checked(inputs)));
    request.setPreview(preview);
    const answer = await answerTo<messages.UpdateResponse>((reply) => this.client.update(request, reply));
    return decode(answer.getProperties());
  }

  async delete(state: Properties, inputs: Properties): Promise<void> {
    const request = new messages.DeleteRequest();
    request.setId("subject");
    request.setUrn(this.urn);
    request.setProperties(encode(state));
    request.setOldInputs(encode(await this.checked(inputs)));
    await answerTo<Empty>((reply) => this.client.delete(request, reply));
  }

  /** What a refresh finds. */
  async read(state: Properties, inputs: Properties): Promise<{ state: Properties; inputs: Properties }> {
    const request = new messages.ReadRequest();
    request.setId("subject");
    request.setUrn(this.urn);
    request.setProperties(encode(state));
    request.setInputs(encode(inputs));
    const answer = await answerTo<messages.ReadResponse>((reply) => this.client.read(request, reply));
    return { state: decode(answer.getProperties()), inputs: decode(answer.getInputs()) };
  }

  async cancel(): Promise<void> {
    await answerTo<Empty>((reply) => this.client.cancel(new Empty(), reply));
  }

  /** Ends the plugin, and what it still runs. */
  async stop(): Promise<void> {
    await this.cancel();
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
    this.client.close();
    this.engine.forceShutdown();
  }
}
