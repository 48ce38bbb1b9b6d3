"""The fixtures of this layer: real parts and a front end beside them."""

from tests.real.parts import pbx as pbx
from tests.real.parts import pbxes as pbxes
from tests.real.parts import rtpengine as rtpengine
from tests.real.site import site as site
from tests.real.site import site_with as site_with
