import { isObject } from '../../json/is-object.js';
import type { JsonObject } from '../../json/json.types.js';
import { indexOf, ownMember } from './pointer.js';

/** The containers that a patch will change, as seen from one of them. */
export interface Trail {
  /** The trail within a member or an item. Undefined where the patch does not change that. */
  into(step: string | number): Trail | undefined;
}

/** The trail of a path: every container on its way. The last token leads to the place itself. */
export class PathTrail implements Trail {
  private readonly token: string;
  private readonly index: number;

  constructor(
    private readonly path: readonly string[],
    private readonly at = 0,
  ) {
    this.token = path[at] ?? '';
    this.index = indexOf(this.token);
  }

  static of(path: readonly string[], at = 0): Trail | undefined {
    return at < path.length ? new PathTrail(path, at) : undefined;
  }

  into(step: string | number): Trail | undefined {
    return step === this.token || step === this.index ? PathTrail.of(this.path, this.at + 1) : undefined;
  }
}

/** The trail of a merge patch: every object that the patch has members for. */
export class MergeTrail implements Trail {
  constructor(private readonly patch: JsonObject) {}

  into(step: string | number): Trail | undefined {
    const member = typeof step === 'string' ? ownMember(this.patch, step) : undefined;
    return isObject(member) && Object.keys(member).length > 0 ? new MergeTrail(member) : undefined;
  }
}
