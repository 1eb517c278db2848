// Marks where the module begins. What it is built with is in talos-MINOR.mod, one for each release of Talos.
module bootstrap-pxe.local/tools/go/talos-config

go 1.26.0
