"""Dial permissions: what kind of number it is, and whether a user's class of service allows it."""

from ari_bridge.dial_permissions.class_limits import ClassLimits, InvalidLimit, check_minutes
from ari_bridge.dial_permissions.class_of_service import ClassOfService, DialDecision, InvalidRule
from ari_bridge.dial_permissions.dial_permissions import ClassOfServiceSource, DialPermissions, DialRights
from ari_bridge.dial_permissions.leg_kind import LegKind
from ari_bridge.dial_permissions.number_class import OUTSIDE, DialledNumber, NumberClass
from ari_bridge.dial_permissions.number_plan import COUNTRIES, NumberPlan
from ari_bridge.dial_permissions.outgoing_switch import OutgoingStop, OutgoingSwitch, SwitchNotSaved
from ari_bridge.dial_permissions.permissions_file import InvalidPermissions, PermissionsFile

__all__ = [
    "COUNTRIES",
    "OUTSIDE",
    "ClassLimits",
    "ClassOfService",
    "ClassOfServiceSource",
    "DialDecision",
    "DialPermissions",
    "DialRights",
    "DialledNumber",
    "InvalidLimit",
    "InvalidPermissions",
    "InvalidRule",
    "LegKind",
    "NumberClass",
    "NumberPlan",
    "OutgoingStop",
    "OutgoingSwitch",
    "PermissionsFile",
    "SwitchNotSaved",
    "check_minutes",
]
