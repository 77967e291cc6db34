import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/** A flag that a decorator sets on a controller or on one of its methods. It is looked up once for each method. */
export class RouteFlag {
  private readonly byHandler = new Map<unknown, boolean>();

  constructor(
    private readonly reflector: Reflector,
    private readonly name: string,
  ) {}

  /** The flag of a method wins over that of its controller. */
  isSet(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    let isSet = this.byHandler.get(handler);
    if (isSet === undefined) {
      const targets = [handler, context.getClass()];
      isSet = this.reflector.getAllAndOverride<boolean | undefined>(this.name, targets) === true;
      this.byHandler.set(handler, isSet);
    }
    return isSet;
  }
}
