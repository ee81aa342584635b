// Owns metric families and their Prometheus text. Which metrics the machine has is controller-metrics.ts; serving them
// is the server room.

export type Labels = Readonly<Record<string, string>>;
type MetricType = 'counter' | 'gauge' | 'histogram';

interface Sample {
  readonly labels: Labels;
  value: number;
  /** Histograms only. */
  readonly buckets?: number[];
  count?: number;
}

/** One metric with its labelled series. */
export class MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly #bounds: readonly number[];
  readonly #samples = new Map<string, Sample>();

  constructor(name: string, help: string, type: MetricType, bounds: readonly number[] = []) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.#bounds = bounds;
  }

  /** Adds to a counter or gauge. */
  add(labels: Labels, amount = 1): void {
    this.#sample(labels).value += amount;
  }

  /** Sets a gauge. */
  set(labels: Labels, value: number): void {
    this.#sample(labels).value = value;
  }

  /** Adds a value to a histogram. */
  observe(labels: Labels, value: number): void {
    const sample = this.#sample(labels);
    sample.value += value;
    sample.count = (sample.count ?? 0) + 1;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) sample.buckets![at]!++;
  }

  /** Removes all series that carry these labels. */
  remove(labels: Labels): void {
    for (const [key, sample] of this.#samples) {
      if (Object.entries(labels).every(([name, value]) => sample.labels[name] === value)) this.#samples.delete(key);
    }
  }

  /** Removes every series. */
  clear(): void {
    this.#samples.clear();
  }

  /** The value of one series; a histogram's is its sum. Undefined when there is none. */
  get(labels: Labels): number | undefined {
    return this.#samples.get(seriesKey(labels))?.value;
  }

  render(): string {
    const lines = [`# HELP ${this.name} ${escapeHelp(this.help)}`, `# TYPE ${this.name} ${this.type}`];
    for (const sample of this.#samples.values()) {
      if (this.type === 'histogram') lines.push(...this.#renderHistogram(sample));
      else lines.push(`${this.name}${labelText(sample.labels)} ${numberText(sample.value)}`);
    }
    return `${lines.join('\n')}\n`;
  }

  get empty(): boolean {
    return this.#samples.size === 0;
  }

  #renderHistogram(sample: Sample): string[] {
    let total = 0;
    const lines = this.#bounds.map((bound, at) => {
      total += sample.buckets![at]!;
      return `${this.name}_bucket${labelText({ ...sample.labels, le: numberText(bound) })} ${total}`;
    });
    lines.push(`${this.name}_bucket${labelText({ ...sample.labels, le: '+Inf' })} ${sample.count ?? 0}`);
    lines.push(`${this.name}_sum${labelText(sample.labels)} ${numberText(sample.value)}`);
    lines.push(`${this.name}_count${labelText(sample.labels)} ${sample.count ?? 0}`);
    return lines;
  }

  #sample(labels: Labels): Sample {
    const key = seriesKey(labels);
    const known = this.#samples.get(key);
    if (known !== undefined) return known;
    const buckets =
      this.type === 'histogram' ? { buckets: new Array<number>(this.#bounds.length).fill(0), count: 0 } : {};
    const sample: Sample = { labels, value: 0, ...buckets };
    this.#samples.set(key, sample);
    return sample;
  }
}

/** All metrics of the process. */
export class MetricRegistry {
  readonly #families = new Map<string, MetricFamily>();
  readonly #collectors: (() => void)[] = [];

  /** The family of that name; made at first. */
  family(name: string, help: string, type: MetricType, bounds?: readonly number[]): MetricFamily {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    const family = new MetricFamily(name, help, type, bounds);
    this.#families.set(name, family);
    return family;
  }

  /** Adds a function that sets gauges right before they are read. */
  beforeRender(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** Prometheus text format 0.0.4. Families without series are left out. */
  render(): string {
    for (const collect of this.#collectors) collect();
    return [...this.#families.values()]
      .filter((family) => !family.empty)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((family) => family.render())
      .join('');
  }
}

function seriesKey(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}\0${labels[name]}`)
    .join('\0\0');
}

function labelText(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length === 0) return '';
  return `{${names.map((name) => `${name}="${escapeLabel(labels[name]!)}"`).join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

function escapeHelp(value: string): string {
  return value.replace(/[\\\n]/g, (character) => (character === '\n' ? '\\n' : '\\\\'));
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
