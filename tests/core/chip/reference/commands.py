"""Which command answers to which class and instruction."""

from reference import binaries, creation, greylock, life, purses, records, security, selection

COMMANDS = {
    **selection.COMMANDS,
    **binaries.COMMANDS,
    **records.COMMANDS,
    **creation.COMMANDS,
    **security.COMMANDS,
    **life.COMMANDS,
    **purses.COMMANDS,
    **greylock.COMMANDS,
}
