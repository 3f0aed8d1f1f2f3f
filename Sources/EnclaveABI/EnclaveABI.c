#include "cloister_slot.h"
