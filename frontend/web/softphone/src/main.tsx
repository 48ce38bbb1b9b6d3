// Entry of the softphone page.

import { createRoot } from "react-dom/client";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { PageErrorScreen } from "./components/ErrorScreen";
import "./components/styleNonce";
import { SoftphonePage } from "./pages/softphone";
import "./styles/tokens.css";
import "./styles/softphone.css";

createRoot(document.getElementById("root")!).render(
  <ErrorBoundary fallback={() => <PageErrorScreen />}>
    <SoftphonePage />
  </ErrorBoundary>,
);
