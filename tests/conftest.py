"""What holds for every layer: no test asserts how long something takes, and Hypothesis does not either."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
