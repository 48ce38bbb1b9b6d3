// Where something on the page breaks, the rest of it goes on.

import { Component, type ReactNode } from "react";

export interface BoundaryProps {
  children: ReactNode;
  /** What stands there instead. `retry` tries again. */
  instead(retry: () => void): ReactNode;
}

export class Boundary extends Component<BoundaryProps, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return this.props.instead(() => this.setState({ broken: false }));
  }
}
