// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// States of a brand. Which acts each allows: docs/ledger-format.md, "Brand states".
uint8 constant ACTIVE = 1;
uint8 constant SUSPENDED = 2;
uint8 constant RUNNING_OFF = 3; // the last state in which a brand accepts and its points are accepted
uint8 constant CLOSED = 4; // never stored: running off, after its last day
uint8 constant IN_DEFAULT = 5;
