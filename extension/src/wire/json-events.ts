/** Server-sent events whose data is JSON, as most sites stream their answers. */

import { type Json, parse, sseEvents } from "./shape";

/**
 * The events of `stream`, without the "[DONE]" at its end. Throws ShapeError for data that is no JSON, except where the
 * stream is not `complete`: then its last event may have been cut.
 */
export function* jsonEvents(stream: string, complete: boolean): Generator<{ event: string; value: Json }> {
  const events = [...sseEvents(stream)].filter(({ data }) => data !== "[DONE]");
  for (const [index, { event, data }] of events.entries()) {
    let value: Json;
    try {
      value = parse(data, "stream event");
    } catch (error) {
      if (!complete && index === events.length - 1) return;
      throw error;
    }
    yield { event, value };
  }
}
