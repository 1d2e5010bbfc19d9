module nuages.invalid/hooktool

go 1.26
