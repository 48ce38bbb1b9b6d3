"""The server beside a fake Asterisk and a fake rtpengine, as the component layer has it."""

from tests.component.frontend.conftest import app as app
from tests.component.frontend.conftest import http as http
from tests.component.frontend.conftest import pbx as pbx
from tests.component.frontend.conftest import rtpengine as rtpengine
from tests.component.frontend.conftest import settings as settings
