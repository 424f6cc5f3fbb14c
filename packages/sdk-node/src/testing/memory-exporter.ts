import type { ExportResult, ProfileExporter, ProfileUpload } from "../exporters/exporter.ts";

/** Keeps what it is given. */
export class MemoryExporter implements ProfileExporter {
  readonly uploads: ProfileUpload[] = [];
  isShutDown = false;
  /** What the next exports answer; success when there is none left. */
  readonly answers: ExportResult[] = [];

  async export(upload: ProfileUpload): Promise<ExportResult> {
    const answer = this.answers.shift() ?? { ok: true };
    if (answer.ok) this.uploads.push(upload);
    return answer;
  }

  async shutdown(): Promise<void> {
    this.isShutDown = true;
  }
}
